# The book, built and served: docker build -t srlab . && docker run --rm -p 8000:8000 srlab
FROM python:3.11-slim AS built
WORKDIR /srlab
COPY . .
RUN pip install --no-cache-dir --no-deps -c constraints.txt \
    --index-url https://download.pytorch.org/whl/cpu torch && \
    pip install --no-cache-dir -c constraints.txt -e '.[book,scale]' && srlab book

FROM python:3.11-slim
COPY --from=built /srlab/_build/html /book
USER 65534
EXPOSE 8000
STOPSIGNAL SIGINT
CMD ["python", "-m", "http.server", "8000", "--directory", "/book"]
