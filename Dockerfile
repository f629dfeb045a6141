# One image for everything of this project that runs in a container: `lake` (produce, ingest, verify, replay) and `dbt`.
# Python packages are those of the two locks, Spark's jars those of stack/pom.xml, all compared with their sums.

FROM maven:3.9.11-eclipse-temurin-17 AS jars
WORKDIR /build/stack
COPY stack/pom.xml stack/engines.sha256 ./
RUN mvn -B -q -P s3 dependency:copy@spark dependency:copy@aws -Ddownloads=/engines \
    && cd /engines \
    && grep -E ' (spark|aws)/' /build/stack/engines.sha256 | sha256sum --check --quiet

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
