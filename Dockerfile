# The chatroom in a container. Another base: docker build --build-arg BASE=… (any image with Python >= 3.11 as `python`).
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# Mirrors, for a network where the registries are slow or out of reach.
ARG PIP_INDEX_URL
ARG NPM_CONFIG_REGISTRY
WORKDIR /src
COPY constraints.txt ./
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_BUILD_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1
# The environment needs no pip of its own: the base image's pip installs into it.
RUN python -m venv --without-pip /opt/chatroom
COPY pyproject.toml hatch_build.py README.md LICENSE name.txt ./
COPY web web
COPY chatroom chatroom
RUN python -m pip --python /opt/chatroom/bin/python install --no-cache-dir .

FROM ${BASE}
# Fixed ids, so that a mounted folder can be given to this user: chown 10001 FOLDER. Some platforms mount folders
# that only root may write to; there, build with --build-arg RUN_AS=0:0.
ARG RUN_AS=10001:10001
# Nothing more is installed, so pip can go.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip && mkdir -m 700 /data && chown ${RUN_AS} /data
COPY --from=build /opt/chatroom /opt/chatroom
ENV PATH=/opt/chatroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CHATROOM_DATA_DIR=/data
USER ${RUN_AS}
WORKDIR /data
EXPOSE 5000
# The health check reads the same environment as the server: CHATROOM_PORT, else PORT, else 5000.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["chatroom", "health"]
# In exec form, without a shell, so that SIGTERM reaches the program.
ENTRYPOINT ["chatroom"]
CMD ["serve"]
