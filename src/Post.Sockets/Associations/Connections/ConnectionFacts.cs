using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>What an association still knows of a connection that is gone.</summary>
internal sealed record ConnectionFacts(
    PeerIdentity Peer, EndPoint? LocalEndPoint, EndPoint? RemoteEndPoint, TransportCapabilities Capabilities, bool IsResumed);
