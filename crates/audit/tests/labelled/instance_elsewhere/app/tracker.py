class Tracker:
    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)
