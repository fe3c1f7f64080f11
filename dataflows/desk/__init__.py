"""The desk: the dataflow's one way to inference, risk and execution, over gRPC.

It translates between the dataflow's values and the contracts, waits for a service that is being restarted, and knows
what may be repeated. It decides nothing.
"""
