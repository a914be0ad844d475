using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Streams;

/// <summary>Opens Post streams, and decides whether their bandwidth can be promised.</summary>
internal static class StreamOpener
{
    /// <summary>The share of the measured rate that may be reserved: the rest is for control, loss, and what nobody reserved for.</summary>
    private const double Reservable = 0.9;

    public static async ValueTask<PostStream> OpenAsync(
        AssociationCore core, StreamProperties properties, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // A stream cannot say that it is safe to replay, so it waits for the handshake.
        await core.Lifecycle.WhenHandshakeAsync(cancellationToken).ConfigureAwait(false);

        // Nor is there anything to open it on while the connection is lost.
        var carrier = await core.Continuity.WhenConnectedAsync(cancellationToken).ConfigureAwait(false);
        lock (core.Gate)
        {
            core.ThrowIfNotSending();
        }

        if (carrier!.PeerHello is not null && (core.Peer.Features & HelloFeatures.PostStreams) == 0)
        {
            throw new PostException(PostErrorReason.NotSupported, "The peer takes no streams (its AcceptStreams is off).");
        }

        try
        {
            var stream = await carrier.Connection.OpenStreamAsync(
                TransportStreamKind.Bidirectional,
                new TransportPriority(properties.Niceness, TransportPriority.NoDeadline, true, 0),
                cancellationToken).ConfigureAwait(false);
            var capacity = Capacity(carrier.Connection.GetStatistics());
            StreamSender sender;
            lock (core.Gate)
            {
                sender = Admit(core, carrier, stream, properties, capacity);
            }

            var header = new byte[ProtocolLimits.MaxStreamHeader];
            var length = new StreamHeader(properties.Niceness, properties.Bandwidth ?? 0).Write(header);
            var opened = new PostStream(core, sender, properties.Niceness, ReadOnlyMemory<byte>.Empty, isReadEnded: false);
            await opened.WriteAsync(header.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            return opened;
        }
        catch (TransportException exception)
        {
            throw core.Continuity.ToStreamException(exception);
        }
    }

    private static StreamSender Admit(AssociationCore core, Carrier carrier, TransportStream stream, StreamProperties properties, long? capacity)
    {
        BandwidthReservation? reservation = null;
        if (properties.Bandwidth is { } wanted)
        {
            var reserved = carrier.ReservedBitsPerSecond;
            if (capacity is { } bits && reserved + wanted > bits * Reservable)
            {
                core.Later(new TransportAction(TransportActionKind.Dispose, stream));
                core.Wake();
                throw new PostException(
                    PostErrorReason.BandwidthUnavailable,
                    $"Cannot reserve {wanted} bit/s: {reserved} are reserved already, and of the measured {bits} bit/s at most "
                    + $"{bits * Reservable:F0} may be. Ask for less, or open the stream without a reservation.");
            }

            reservation = new BandwidthReservation(wanted, core.Clock, core.Clock.Now);
        }

        if (core.Carrier != carrier)
        {
            throw new TransportException(TransportErrorReason.ConnectionReset, "The connection was lost while a stream was opened on it.");
        }

        var sender = new StreamSender(core, carrier, stream, properties.Niceness, reservation);
        carrier.AddStream(sender);
        return sender;
    }

    private static long? Capacity(in TransportStatistics statistics) =>
        statistics.EstimatedRate
        ?? (statistics is { CongestionWindow: { } window, SmoothedRtt: { } rtt } && rtt > TimeSpan.Zero
            ? (long)(window * 8 / rtt.TotalSeconds)
            : null);
}
