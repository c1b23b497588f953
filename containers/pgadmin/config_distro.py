# What pgAdmin's entrypoint would write into its read-only root, and what differs here.
CA_FILE = '/etc/ssl/certs/ca-certificates.crt'
LOG_FILE = '/dev/null'
HELP_PATH = '../../docs'
DEFAULT_BINARY_PATHS = {'pg': '/usr/local/pgsql-17', 'pg-17': '/usr/local/pgsql-17'}
# It saves no passwords (the server's comes from a pgpass file), so there is nothing to protect with one more.
MASTER_PASSWORD_REQUIRED = False
UPGRADE_CHECK_ENABLED = False
