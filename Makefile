# What a developer needs. Go and make are all it takes; the app for tablets needs
# node and npm besides, and its tests chromium.

GO ?= go
BIN := bin/doorstep

# The race detector needs a C compiler; without one the tests run without it.
RACE := $(if $(shell command -v gcc || command -v clang || command -v cc),-race)

.PHONY: sizing image chart build web screenshots demo test bench bench-web lighthouse bench-text mutants lint vuln release reproducible clean

# One static binary for this machine, with the app for tablets where it could be built.
build: web
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./server/cmd/doorstep

# The app for tablets, into server/web/dist, which the binary holds. Needs node and
# npm; without them the server has no app, and says so to whoever asks for it.
APP := server/web/dist/index.html
APP_SOURCES := $(shell find server/web/src server/web/style server/web/build client-sdk/ts/src client-sdk/ts/bundle client-sdk/wasm client-sdk/engine syncproto \
	-name '*.go' -not -name '*_test.go' -o -name '*.ts' -o -name '*.tsx' -o -name '*.scss' -o -name '*.html' -o -name '*.cy.json') server/web/package-lock.json client-sdk/ts/package-lock.json
web:
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; } || true
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(APP); else echo "No web app in this build, because there is no node and npm here."; fi

$(APP): $(APP_SOURCES)
	cd client-sdk/ts && npm ci --silent --no-audit --no-fund
	cd server/web && npm ci --silent --no-audit --no-fund && node_modules/.bin/tsc -p . && $(GO) run ./build

# Pictures of the main screens of app and desk, over the demo's borough, in the folder bin/screenshots.
screenshots: web
	mkdir -p bin/screenshots
	$(GO) test -count=1 ./server/cmd/doorstep/demo -run 'TestTheAppRecordsAVisit|TestTheDesk/^a_' -args -pictures=$(CURDIR)/bin/screenshots

# A borough's working day, played over real HTTP with real devices.
demo:
	@$(MAKE) --no-print-directory web || echo "No web app in this demo: it could not be built (above)."
	$(GO) run ./server/cmd/doorstep demo

# Every test, with the race detector. -count=1, because the test of the import
# rules asks the go command, which the test cache does not see. Some once more without:
# text's largest cases, most seeds of the simulated borough and most bytes to cut a
# message after are too much for the detector, and show it the same code again.
test: web
	@$(if $(RACE),,echo "No C compiler here: the race detector is off.")
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm; } || \
		echo "NOT TESTED: signing in with a real service, and the client for browsers, because there is no node and npm here."
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
		echo "NOT TESTED: passkeys, the client and the app in a real browser, because there is no chromium here."
	$(GO) vet ./...
	$(GO) test $(RACE) -count=1 -timeout 20m ./...
	$(GO) test -count=1 ./syncproto/text ./server/internal/sim
	$(GO) test -count=1 ./server/endtoend -run CutAtEveryByte

# The same load as a running borough's, with plain output.
bench:
	$(GO) run ./server/cmd/doorstep bench

# Every figure of deploy/SIZING.md, in plain words and as JSON, into bin/sizing; on a quiet machine, about 20 minutes and 8 GB.
# A small run, to see that it works: make sizing SIZING="--practitioners 12 --tablets 4 --pressed-into 2 --start-up 2000 --streams 20"
SIZING :=
sizing: build
	mkdir -p bin/sizing
	for run in "profile borough" "profile county" "profile monday" "profile storm" "only memory" "only start-up"; do \
		set -- $$run; $(BIN) bench --$$1 $$2 $(SIZING) --json-file bin/sizing/$$2.json > bin/sizing/$$2.txt || exit 1; cat bin/sizing/$$2.txt; \
	done

# What a practitioner waits for with the app on a slow tablet, in plain words and as
# bin/bench-web.json. Needs node, npm and chromium, and a machine with nothing else to do.
bench-web: web
	mkdir -p bin
	$(GO) test -count=1 ./server/endtoend -run TestBenchWeb -args -benchweb -benchweb.json=$(CURDIR)/bin/bench-web.json

# Lighthouse's audits of accessibility and best practices, 100 each. Apart from test: it
# is 180 MB of npm packages and takes a minute.
lighthouse: web
	cd server/web/lighthouse && npm ci --silent --no-audit --no-fund --ignore-scripts
	$(GO) test -count=1 ./server/endtoend -run TestLighthouse -args -lighthouse
	$(GO) test -count=1 ./server/cmd/doorstep/demo -run TestLighthouseOfTheDesk -args -lighthouse

# Bugs brought back on purpose, each with the test that must notice.
mutants:
	$(GO) test -count=1 -timeout 30m ./server/internal/mutants -all -v

# The text merge beside yjs, loro, automerge and diamond-types on the traces below
# the folder $DOORSTEP_TRACES, which is not part of the source. Needs node and npm.
bench-text:
	cd syncproto/text/peers && npm ci --silent --no-audit --no-fund && $(GO) run .

# Formatting, go vet and staticcheck (pinned in go.mod).
lint:
	@unformatted=$$(gofmt -l server syncproto client-sdk); \
	if [ -n "$$unformatted" ]; then echo "not formatted:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# Known vulnerabilities. Apart from lint: its database is not reachable everywhere.
vuln:
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

# What is handed to a borough: the binary, what is linked into it, and their sums.
release: build
	$(BIN) version --contents > bin/doorstep.cdx.json
	cd bin && sha256sum doorstep doorstep.cdx.json | tee SHA256SUMS

# The container's image, from deploy/container. Needs buildah, Debian's package.
image: build
	cp /etc/ssl/certs/ca-certificates.crt bin/ca-certificates.crt
	buildah bud --isolation chroot -f deploy/container/Containerfile -t doorstep bin

# The chart, rendered by helm for every authority and held to the API of Kubernetes, with
# fields that it does not know refused. Apart from test: helm takes minutes to compile.
HELM := helm.sh/helm/v3/cmd/helm@v3.18.6
KUBERNETES := k8s.io/kubernetes@v1.34.0
chart:
	mkdir -p bin/tools
	GOFLAGS=-mod=mod GOBIN=$(CURDIR)/bin/tools $(GO) install $(HELM)
	cd bin/tools && $(GO) mod download -json $(KUBERNETES) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p' > kubernetes
	PATH="$(CURDIR)/bin/tools:$$PATH" DOORSTEP_KUBERNETES="$$(cat bin/tools/kubernetes)" $(GO) test -count=1 ./server/cmd/doorstep -run TestChart -v

# Two builds of what is committed, in two folders, must be one and the same.
reproducible:
	@one=$$(mktemp -d) two=$$(mktemp -d); \
	for dir in $$one $$two; do git archive HEAD | tar -x -C $$dir && $(MAKE) --no-print-directory -C $$dir build >$$dir/log 2>&1 || { tail $$dir/log; exit 1; }; done; \
	sha256sum $$one/bin/doorstep $$two/bin/doorstep; cmp $$one/bin/doorstep $$two/bin/doorstep && echo "One binary from two folders."; \
	same=$$?; rm -rf $$one $$two; exit $$same

clean:
	rm -rf bin
