# daprd and Sentry as they are published, with a shell around them: daprd takes its trust anchors by its environment alone, and
# neither image has anything to ask after its health with.
FROM daprio/daprd:1.18.1 AS daprd
FROM daprio/sentry:1.18.1 AS sentry

FROM busybox:1.37.0
WORKDIR /mesh
COPY --from=daprd /daprd /usr/local/bin/daprd
COPY --from=daprd /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=sentry /sentry /usr/local/bin/sentry
COPY components components
COPY dapr-config dapr-config
COPY containers/network.sh /usr/local/lib/sidecart/network.sh
COPY containers/sidecar.sh containers/sidecar-healthy.sh /usr/local/bin/
# The same YAML as outside of containers, but for where things are.
RUN sed -i 's/127\.0\.0\.1:16379/redis:6379/; s|\.data/secrets\.json|/run/secrets/secrets.json|' components/*.yaml components/redis/*.yaml \
  && sed -i 's/127\.0\.0\.1:8099/bank:8099/' dapr-config/resources/*.yaml \
  && ! grep -rn '127\.0\.0\.1' components dapr-config/resources \
  && mkdir .data && chown -R 65532:65532 .data
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/sidecar.sh"]
