# Serves the directory that is mounted at /config, or the shipped fixtures if nothing is mounted there.
# Beyond loopback the admin API requires a token: set VEHICLE_OCR_MOCK_ADMIN_TOKEN, or read the random token that is
# printed at the start.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mock_server mock_server
COPY fixtures fixtures
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[heif,redis]'

FROM python:3.13-slim
# There is no /config: if it exists, it is a mount.
RUN useradd --create-home --uid 10001 mock && mkdir /ca && chown mock /ca
COPY --from=build /opt/venv /opt/venv
COPY scripts/container /usr/local/bin/container
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VEHICLE_OCR_MOCK_HOST=0.0.0.0
USER mock
WORKDIR /home/mock
EXPOSE 8080 8443
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --start-interval=1s --retries=3 \
    CMD ["vehicle-ocr-mock", "healthcheck"]
ENTRYPOINT ["sh", "/usr/local/bin/container"]
CMD ["serve"]
