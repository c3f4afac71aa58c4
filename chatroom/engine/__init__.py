"""An Engine.IO 4 server for `socketio.Server`, made for fan-out; it knows nothing of chat.

class Server(socketio.Server):
    def _engineio_server_class(self):
        return Engine

sio = Server(client_manager=Fanout(), async_handlers=False)
front = Front(sio.eio.loop, wsgi_app, handlers={"/socket.io/": sio.eio.handle})
front.listen(listening_socket)
"""
