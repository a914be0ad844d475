using System.Net;

namespace Post.Quic.Engine;

/// <summary>The connection that <see cref="QuicTraceOptions.OpenStream"/> is asked about.</summary>
public sealed class QuicTraceContext
{
    internal QuicTraceContext(bool isServer, string originalConnectionId, IPEndPoint localEndPoint, IPEndPoint remoteEndPoint)
    {
        IsServer = isServer;
        OriginalConnectionId = originalConnectionId;
        LocalEndPoint = localEndPoint;
        RemoteEndPoint = remoteEndPoint;
    }

    /// <summary>We accepted the connection; otherwise we opened it.</summary>
    public bool IsServer { get; }

    /// <summary>
    /// The destination connection id of the client's very first packet in hexadecimal: the same in the logs of both
    /// sides. A client chooses it at random, but a hostile one chooses it as it likes.
    /// </summary>
    public string OriginalConnectionId { get; }

    /// <summary>Our address; its host may be unspecified.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>The peer's address.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>A file name that fits: the connection id, the side, and the extension that qlog asks for.</summary>
    public string FileName => $"{OriginalConnectionId}_{(IsServer ? "server" : "client")}.sqlog";
}
