from app.tracker import Tracker

tracker = Tracker()  # shared: shared_mutable
