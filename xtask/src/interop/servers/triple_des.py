"""A TLS server with the suites that OpenSSL has no more (3DES with static RSA), before a real server of Remote Desktop.

X.224 goes through as it comes. Behind it TLS ends here, by tlslite-ng, and begins anew towards the server, so that
what is said of CredSSP is the server's own. Arguments: ADDRESS PORT CERTIFICATE KEY BACKEND VERSION CIPHER.
"""

import socket
import ssl
import sys
import threading

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

ADDRESS, PORT, CERTIFICATE, KEY, BACKEND, VERSION, CIPHER = sys.argv[1:]


def settings():
    """One version and one cipher, with static RSA."""
    chosen = HandshakeSettings()
    version = {"TLSv1": (3, 1), "TLSv1.1": (3, 2), "TLSv1.2": (3, 3)}[VERSION]
    chosen.minVersion = chosen.maxVersion = version
    chosen.cipherNames = [CIPHER]
    chosen.macNames = ["sha"]
    chosen.keyExchangeNames = ["rsa"]
    return chosen


def read_tpkt(sock):
    """One frame, by the length in its header (RFC 1006 6)."""
    frame = b""
    while len(frame) < 4 or len(frame) < int.from_bytes(frame[2:4], "big"):
        wanted = 4 if len(frame) < 4 else int.from_bytes(frame[2:4], "big")
        piece = sock.recv(wanted - len(frame))
        if not piece:
            raise EOFError
        frame += piece
    return frame


def back_to_client(server, client):
    """What the server says, until it ends."""
    try:
        while piece := server.recv(16384):
            client.write(piece)
        client.close()
    except (OSError, ssl.SSLError, ValueError):
        pass


def serve(sock, chain, key):
    """One connection, to its end."""
    server = socket.create_connection((BACKEND, 3389))
    try:
        server.sendall(read_tpkt(sock))
        sock.sendall(read_tpkt(server))
        client = TLSConnection(sock)
        client.handshakeServer(certChain=chain, privateKey=key, settings=settings())
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        server = context.wrap_socket(server)
        threading.Thread(target=back_to_client, args=(server, client), daemon=True).start()
        while piece := client.read(min=1, max=16384):
            server.sendall(piece)
    except Exception as error:  # whatever a client does ends its own connection alone
        print(type(error).__name__, error, flush=True)
    finally:
        server.close()
        sock.close()


def main():
    """Until it is killed."""
    chain = X509CertChain()
    with open(CERTIFICATE, encoding="ascii") as file:
        chain.parsePemList(file.read())
    with open(KEY, encoding="ascii") as file:
        key = parsePEMKey(file.read(), private=True)
    listener = socket.create_server((ADDRESS, int(PORT)))
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock, chain, key), daemon=True).start()


main()
