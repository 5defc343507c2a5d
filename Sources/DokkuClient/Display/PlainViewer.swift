// Shows the output and nothing else: for pipes and files.

final class PlainViewer: Viewer {}
