# `make` alone lists what there is. Whatever a target needs it installs first, once.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Setup runs with the machine's own Node; all else with the one that setup installs.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export NODE_COMPILE_CACHE := $(CURDIR)/.data/compile-cache

setup := PATH="$(SYSTEM_PATH)" sh tools/setup/setup.sh
mesh := node tools/mesh/cli.ts

##@ The mesh
.PHONY: up down reset status logs
up: setup ## Start everything and watch a few orders (replicas="products=2 orders=2")
	@$(mesh) up replicas='$(replicas)'
down: deps ## Stop everything; the data stays
	@$(mesh) down
reset: deps ## Stop everything and drop the data
	@$(mesh) reset
status: deps ## What runs, and whether it is ready (json=1 for programs)
	@$(mesh) status $(if $(json),--json)
logs: deps ## Follow the logs (service=orders; follow=0 to only print)
	@$(mesh) logs service='$(service)' $(if $(filter 0,$(follow)),--no-follow)

##@ Working with it
.PHONY: new call token people mail db audit redrive replay
new: deps ## Make a service that runs, with its tests (service=reviews; one=review)
	@node tools/new/cli.ts service='$(service)' one='$(one)'
	@node tools/contracts/cli.ts
	@node tools/compose/picture.ts
call: deps ## Call a method as the gateway does (service=orders method=getOrder request='{…}' user=ada)
	@node tools/call.ts service='$(service)' method='$(method)' request="$$SIDECART_REQUEST" user='$(user)' role='$(role)' key='$(key)'
call: export SIDECART_REQUEST = $(value request)
token: deps ## Sign a person in and print the access token (user=ada role=customer)
	@node tools/token.ts user='$(user)' role='$(role)' tenant='$(tenant)'
people: deps ## Who is there from the start, and their password
	@node tools/people.ts
mail: deps ## What was written to people, newest last (to=ada@example.com json=1)
	@node tools/mails.ts to='$(to)' json='$(json)'
db: deps ## An SQL prompt (service=orders; sql="select …" for one statement; tenant=main)
	@node tools/db.ts service='$(service)' tenant='$(tenant)' sql="$$SIDECART_SQL"
db: export SIDECART_SQL = $(value sql)
audit: deps ## Check that no order, payment or piece of stock was lost (args=--json)
	@node tools/audit/cli.ts $(args)
redrive: deps ## List failed events, or handle them again (service=orders id=… | all=1)
	@node tools/redrive.ts service='$(service)' id='$(id)' all='$(all)'
replay: deps ## Make every read model anew from its events, while orders flow (service=orders; swap=1; json=1)
	@node tools/replay/cli.ts service='$(service)' swap='$(swap)' json='$(json)'

##@ For other languages
.PHONY: contracts
contracts: deps ## Write contracts/ anew (OpenAPI, proto, events, AsyncAPI, tables), and who may call whom
	@node tools/contracts/cli.ts

##@ With the dapr CLI
.PHONY: run backing dapr-run
run: setup ## Run one service by `dapr run`, against what runs already (service=orders)
	@$(mesh) run service='$(service)'
backing: setup ## Start only PostgreSQL, Redis, Sentry and the bank
	@$(mesh) backing
dapr-run: setup ## Run the whole mesh by `dapr run -f dapr-config/dapr.yaml`
	@$(mesh) dapr-run

##@ In containers, with Docker and nothing else (docker compose up -d --wait)
compose := node tools/compose/cli.ts
.PHONY: compose-cold compose-up compose-down compose-logs compose-reset compose-scale compose-memory compose-picture chaos
compose-up: deps ## Build the images and start the whole mesh, until it is healthy
	@$(compose) up
compose-down: deps ## Stop it; the data stays
	@$(compose) down
compose-reset: deps ## Stop it and drop its data
	@$(compose) reset
compose-logs: deps ## Follow the logs (service=orders,orders-dapr; follow=0 to only print)
	@$(compose) logs service='$(service)' follow='$(follow)'
compose-scale: deps ## Run n pods of a service (service=products n=3)
	@node tools/compose/scale.ts service='$(service)' n='$(n)'
compose-memory: deps ## What each container takes of its memory, and all of them (minutes=10: after so much shopping)
	@node tools/compose/memory-cli.ts minutes='$(minutes)'
compose-picture: deps ## Draw docs/mesh.svg from compose.yaml
	@node tools/compose/picture.ts
compose-cold: deps ## Start it from nothing ten times: is every start whole? (rounds=10)
	@node tools/compose/cold-starts.ts rounds=$(or $(rounds),10)
chaos: deps ## Pull it apart, container by container, and write docs/chaos.md (only=orders,redis faults=crash,pause record=1)
	@node tools/chaos/cli.ts only='$(only)' faults='$(faults)' share='$(share)' record='$(record)'

##@ Quality
.PHONY: check test bench bench-report
check: deps ## Format, lint, types and unit tests (file=orders)
	@node tools/test/run.ts check $(file)
test: ## Everything, from nothing: also databases, sidecars, faults, containers (only=check|services|mesh|containers file=orders)
	@$(setup) test
	@node tools/test/run.ts $(or $(only),all) $(file)
bench: ## Measure what the shop promises, and write docs/performance.md (only=p1,p3 rounds=9)
	@$(setup) bench
	@node tools/bench/cli.ts bench only='$(only)' rounds='$(rounds)'
bench-report: deps ## Write docs/performance.md from the records alone
	@node tools/bench/cli.ts report

##@ Drills: long runs against a mesh of their own, each with its record in docs/records
drills := drill-hot-item drill-keys drill-broker drill-shuffle drill-rolling drill-fuzz
.PHONY: $(drills)
$(drills): setup
	@node tools/drills/cli.ts $(@:drill-%=%)
drill-hot-item: ## 10,000 buyers for 100 units, 20 rounds
drill-keys: ## 1,000 keys 50 times each, orders killed every 2 s
drill-broker: ## The broker loses everything, 20 times
drill-shuffle: ## 20,000 orders, each event 1 to 5 times in any order
drill-rolling: ## Restart two of each service, 20 rounds, 20,000 requests
drill-fuzz: ## 100,000 requests that are almost, or not at all, what the API describes

##@ Setup
.PHONY: setup deps help
setup: ## Install what is missing: npm packages, PostgreSQL, Redis, daprd, Sentry, the dapr CLI
	@$(setup) all
deps:
	@$(setup) deps
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
