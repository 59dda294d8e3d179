"""How the model learns: one step (``step``), its optimizer (``optim``, ``muon``), its schedule, its checkpoints."""
