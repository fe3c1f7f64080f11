"""Steps: thin Bytewax logic around pure actors. A step moves values and snapshots; what is computed is the actor's."""
