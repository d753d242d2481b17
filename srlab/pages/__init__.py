"""Self-contained pages: a map, filters or a sweep as one HTML file from which no request leaves."""
