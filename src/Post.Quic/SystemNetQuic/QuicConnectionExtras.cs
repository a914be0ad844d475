using System.Net;
using System.Net.Quic;
using System.Runtime.Versioning;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>The extras of one connection.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal abstract class QuicConnectionExtras
{
    /// <summary>What they can do, whatever the peer can.</summary>
    public abstract TransportCapabilities Capabilities { get; }

    /// <summary>The largest datagram; 0 while the peer takes none.</summary>
    public abstract int MaxDatagramSize { get; }

    /// <summary>True when the session was resumed.</summary>
    public abstract bool IsResumed { get; }

    /// <summary>Begins to push events, with what came before.</summary>
    /// <param name="events">Takes them.</param>
    /// <param name="peerMoved">Called when the peer's address has changed, and once now.</param>
    public abstract void Start(EventSequence events, Action peerMoved);

    /// <summary>From now on tickets are kept, with those that came already.</summary>
    /// <param name="keep">Takes a ticket.</param>
    public abstract void KeepTickets(Action<byte[]> keep);

    /// <inheritdoc cref="TransportConnection.TrySendDatagram"/>
    public abstract TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token);

    /// <summary>The measurements, taken now.</summary>
    public abstract TransportStatistics GetStatistics();

    /// <summary>Adds to a path what was measured last, without a wait.</summary>
    /// <param name="path">The path.</param>
    public abstract PostPath Describe(PostPath path);

    /// <summary>The rank of a stream that this side writes.</summary>
    /// <param name="stream">The stream.</param>
    public abstract IStreamRanking RankingOf(QuicStream stream);

    /// <summary>Moves a client to another local address, and back again where nothing comes by the new one.</summary>
    /// <param name="remote">The peer.</param>
    /// <param name="wanted">The new address; null: a fresh port.</param>
    /// <param name="cancellationToken">Ends the wait for an answer.</param>
    /// <returns>The new address, with the port that the system chose.</returns>
    /// <exception cref="TransportException">The connection cannot move there, or the peer does not answer by it.</exception>
    public abstract ValueTask<IPEndPoint> MoveAsync(IPEndPoint remote, IPEndPoint? wanted, CancellationToken cancellationToken);
}
