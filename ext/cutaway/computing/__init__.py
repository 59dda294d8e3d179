"""A recorded pass computed anew, from the graph that torch exported of it: which recorded values its nodes are, what
each gives for an input, and which operands make a number. Needs no torch."""
