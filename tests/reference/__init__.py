"""What every example computes, in float64 NumPy, written from the papers' formulas and not from attnc's programs.

Each function takes its arrays by name (`a`) and its parameters by name (`p`), and returns the results in order.
"""
