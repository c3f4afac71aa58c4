"""Engine.IO 4 and Socket.IO 5 for `socketio.Server`, made for fan-out; it knows nothing of chat."""
