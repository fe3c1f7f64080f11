"""Quality gates: what is wrong with market data, each cause by its reason code, in the stream and in files.

`judge` holds the gates that an instrument's actor asks about every event before it is applied, `state` what they
remember. `checking` asks them about recordings. What each reason means, and whether it sets a frame aside or only flags
it, is said once, beside `DeadLetterReason` in `proto/sluice/market/v1/market.proto`. Decoding, the lines of a tape and
the book's own sequence rules find their causes by themselves; they are no gates of this package.
"""
