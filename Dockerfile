# The chatroom in a container. Another base: docker build --build-arg BASE=… (any image with Python >= 3.11 as `python`).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
COPY constraints.txt ./
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/chatroom
COPY pyproject.toml hatch_build.py README.md LICENSE name.txt ./
COPY web web
COPY chatroom chatroom
RUN /opt/chatroom/bin/pip install --no-cache-dir '.[redis]'

FROM ${BASE}
# A fixed number, so that the owner of a mounted folder can be named: chown 10001 FOLDER.
RUN mkdir /data && chown 10001:10001 /data
COPY --from=build /opt/chatroom /opt/chatroom
ENV PATH=/opt/chatroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CHATROOM_DATA_DIR=/data \
    CHATROOM_PORT=5000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"CHATROOM_PORT\"]}' + os.environ.get('CHATROOM_BASE_PATH', '').rstrip('/') + '/healthz', timeout=4)"]
# No shell in between: SIGTERM reaches the program.
ENTRYPOINT ["chatroom"]
CMD ["serve"]
