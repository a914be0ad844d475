using System.Net.Quic;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>What a package adds to the public API of System.Net.Quic; Post.Quic.MsQuic is the one that there is.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal abstract class QuicExtras
{
    /// <summary>What a connection has with the extras; datagrams only where the peer takes them, and migration on clients.</summary>
    public abstract TransportCapabilities Capabilities { get; }

    /// <summary>Why a client cannot be moved to another address here; null where it can.</summary>
    public abstract string? MigrationObstacle { get; }

    /// <summary>Whether sessions are resumed by tickets that this side keeps.</summary>
    public bool CanResume => Capabilities.HasFlag(TransportCapabilities.Resumption);

    /// <summary>Connects as <see cref="QuicConnection.ConnectAsync"/> does, with the extras in place before the first packet.</summary>
    /// <param name="options">How to connect.</param>
    /// <param name="ticket">A resumption ticket of an earlier connection; null: none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public abstract ValueTask<(QuicConnection Connection, QuicConnectionExtras Extras)> ConnectAsync(
        QuicClientConnectionOptions options, byte[]? ticket, TimeProvider time, ILogger logger, CancellationToken cancellationToken);

    /// <summary>Puts the extras in place on a connection of a listener that has not begun its handshake.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="givesTickets">The client may resume its session.</param>
    public abstract QuicConnectionExtras Attach(QuicConnection connection, TimeProvider time, ILogger logger, bool givesTickets);
}
