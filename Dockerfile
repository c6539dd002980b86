# docker build --tag epp .
# docker run --read-only --publish 9002:9002 --publish 9090:9090 epp serve --endpoint http://host:8000

FROM python:3.14-slim AS build
WORKDIR /src
COPY constraints.txt .
RUN python -m pip install --no-cache-dir --upgrade pip --constraint constraints.txt
COPY . .
# An environment without pip: nothing in the last stage can install anything.
RUN python -m pip wheel --no-cache-dir --no-deps --build-constraint constraints.txt \
      --wheel-dir /dist . \
 && python -m venv --without-pip /opt/epp \
 && python -m pip --python /opt/epp/bin/python install --no-cache-dir --only-binary :all: \
      --constraint constraints.txt "$(ls /dist/*.whl)[precise]"

FROM python:3.14-slim
RUN python -m pip uninstall --yes --quiet pip
COPY --from=build /opt/epp /opt/epp
# Writes nothing, so the root file system may be read-only.
ENV PATH=/opt/epp/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
# ext_proc, health checks, metrics
EXPOSE 9002 9003 9090
ENTRYPOINT ["epp"]
CMD ["serve"]
