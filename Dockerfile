# Without a mount it serves the shipped fixtures; with mock.yaml or scenarios/ in /config it serves those.
# Off loopback the admin API needs a token: set VEHICLE_OCR_MOCK_ADMIN_TOKEN, or read the generated one from the log.
# podman drops the health check unless you build with `podman build --format docker`.

FROM python:3.13-slim AS build
WORKDIR /src
# The dependencies are a layer of their own, so a change of the code does not install them again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mock_server/version.py mock_server/version.py
RUN mkdir fixtures && touch mock_server/__init__.py && python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[heif,redis]' \
    && /opt/venv/bin/pip uninstall --yes vehicle-ocr-mock
COPY mock_server mock_server
COPY fixtures fixtures
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --constraint constraints.txt . \
    && rm -rf /opt/venv/lib/python*/site-packages/numpy/*/tests \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="vehicle-ocr-mock" \
    org.opencontainers.image.description="A local server that answers as the VehiCore and CarsXE recognition APIs do" \
    org.opencontainers.image.licenses="MIT"
# OpenShift runs a container with a random uid in group 0, so that group may write to /ca and the home directory.
# There is no /config: if it exists, it is a mount.
RUN useradd --create-home --uid 10001 --gid 0 mock && mkdir /ca && chown mock:0 /ca \
    && chmod g=u /ca /home/mock
COPY --from=build /opt/venv /opt/venv
COPY scripts/container /usr/local/bin/container
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/home/mock \
    PYTHONUNBUFFERED=1 \
    VEHICLE_OCR_MOCK_HOST=0.0.0.0
# A number, because Kubernetes cannot verify a name under runAsNonRoot.
USER 10001
WORKDIR /home/mock
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["sh", "/usr/local/bin/container", "healthcheck"]
ENTRYPOINT ["sh", "/usr/local/bin/container"]
CMD ["serve"]
