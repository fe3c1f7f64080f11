"""What a process tells about itself: latencies, log lines and Prometheus metrics. It decides nothing."""
