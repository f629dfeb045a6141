# One image for everything of this project that runs in a container: `lake` (produce, ingest, verify, replay) and `dbt`.
# Python packages are those of the two locks, Spark's jars those of stack/pom.xml, all compared with their sums.

FROM maven:3.9.11-eclipse-temurin-17 AS jars
WORKDIR /build/stack
# Iceberg's S3 client, which only an s3:// warehouse needs: stack/pom.xml leaves it out.
ARG ICEBERG_VERSION=1.12.0
ARG AWS_BUNDLE_SHA256=dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957
COPY stack/pom.xml stack/engines.sha256 ./
RUN mvn -B -q dependency:copy@spark -Ddownloads=/engines \
    && mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact=org.apache.iceberg:iceberg-aws-bundle:${ICEBERG_VERSION} -DoutputDirectory=/engines/spark \
    && cd /engines \
    && grep ' spark/' /build/stack/engines.sha256 | sha256sum --check --quiet \
    && echo "${AWS_BUNDLE_SHA256}  spark/iceberg-aws-bundle-${ICEBERG_VERSION}.jar" | sha256sum --check --quiet

# Debian 12 is the last Debian with Java 17, which Spark 4.1 needs.
FROM python:3.12.12-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /millrace
COPY requirements.lock requirements-airflow.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
RUN python -m venv /opt/lake/engines/airflow \
    && /opt/lake/engines/airflow/bin/pip install --no-cache-dir --require-hashes --requirement requirements-airflow.lock
COPY --from=jars /engines /opt/lake/engines
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && useradd --create-home --uid 10001 lake \
    && mkdir -p /var/lib/lake \
    && chown lake:lake /var/lib/lake
ENV LAKE_HOME=/var/lib/lake \
    LAKE_DOWNLOADS=/opt/lake/engines \
    DBT_PROJECT_DIR=/millrace/dbt_project \
    DBT_PROFILES_DIR=/millrace/dbt_project \
    DBT_TARGET_PATH=/var/lib/lake/dbt/target \
    DBT_LOG_PATH=/var/lib/lake/dbt/logs \
    PYTHONUNBUFFERED=1
USER lake
VOLUME /var/lib/lake
CMD ["lake", "--help"]
