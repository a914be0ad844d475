using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Streams;

/// <summary>The Post streams of an association: opens them, decides whether their bandwidth can be promised, and takes in the peer's.</summary>
internal sealed class PostStreams(
    AssociationState state, AssociationLifecycle lifecycle, AssociationResumption resumption, ObjectDelivery delivery)
{
    /// <summary>The share of the measured rate that may be reserved: the rest is for control, loss, and what nobody reserved for.</summary>
    private const double Reservable = 0.9;

    private long _order;

    /// <summary>Opens a stream.</summary>
    public async ValueTask<PostStream> OpenAsync(StreamProperties properties, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // A stream cannot say that it is safe to replay, so it waits for the handshake.
        await lifecycle.WhenHandshakeAsync(cancellationToken).ConfigureAwait(false);

        // Nor is there anything to open it on while the connection is lost.
        var connection = await resumption.WhenConnectedAsync(cancellationToken).ConfigureAwait(false);
        state.ThrowIfNotSending();
        if (connection!.PeerHello is not null && !state.Peer.Has(HelloFeatures.PostStreams))
        {
            throw new PostException(PostErrorReason.NotSupported, "The peer takes no streams (its AcceptStreams is off).");
        }

        try
        {
            var stream = await connection.Transport.OpenStreamAsync(
                TransportStreamKind.Bidirectional,
                new TransportPriority(properties.Niceness, TransportPriority.NoDeadline, true, 0),
                cancellationToken).ConfigureAwait(false);
            var opening = new Opening(this, connection, stream, properties, Capacity(connection.Transport.GetStatistics()));
            await state.Owner.InvokeAsync(static opening => ((Opening)opening).Admit(), opening).ConfigureAwait(false);
            var opened = new PostStream(opening.Sender!, properties.Niceness, ReadOnlyMemory<byte>.Empty, isReadEnded: false);
            var header = new byte[ProtocolLimits.MaxStreamHeader];
            var length = new StreamHeader(properties.Niceness, properties.Bandwidth ?? 0).Write(header);
            await opened.WriteAsync(header.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            return opened;
        }
        catch (TransportException exception)
        {
            throw resumption.ToStreamException(exception);
        }
    }

    /// <summary>Reads the header of a stream of the peer's and hands it to the application; false when it does not belong to it.</summary>
    public async ValueTask<bool> AcceptAsync(PostConnection connection, TransportStream stream, ReadOnlyMemory<byte> bytes, bool isCompleted)
    {
        StreamHeader header;
        var rest = bytes.ToArray();
        while (true)
        {
            var status = StreamHeader.TryParse(rest, out header, out var consumed);
            if (status == ParseStatus.NeedMore && isCompleted)
            {
                connection.Violate(PostErrorCode.HeaderEncoding, "a stream ended within its header");
                return false;
            }

            if (status == ParseStatus.Invalid)
            {
                Refuse(stream, PostErrorCode.UnknownStreamType);
                return false;
            }

            if (status == ParseStatus.Done)
            {
                rest = rest[consumed..];
                break;
            }

            var more = new byte[ProtocolLimits.MaxStreamHeader];
            var result = await stream.ReadAsync(more, connection.Over).ConfigureAwait(false);
            if (result.IsReset)
            {
                return false;
            }

            isCompleted = result.IsCompleted;
            rest = [.. rest, .. more.AsSpan(0, result.Count)];
        }

        if (!state.Options.AcceptStreams || !state.IsSending)
        {
            Refuse(stream, state.Options.AcceptStreams ? PostErrorCode.GoingAway : PostErrorCode.StreamRefused);
            return false;
        }

        var arrival = new Arrival(this, connection, stream, (int)Math.Min(header.Niceness, int.MaxValue), rest, isCompleted);
        await state.Owner.InvokeAsync(static arrival => ((Arrival)arrival).Take(), arrival).ConfigureAwait(false);
        return arrival.IsTaken;
    }

    private static void Refuse(TransportStream stream, PostErrorCode why)
    {
        stream.StopReading((long)why);
        stream.Reset((long)why);
    }

    private static long? Capacity(in TransportStatistics statistics) =>
        statistics.EstimatedRate
        ?? (statistics is { CongestionWindow: { } window, SmoothedRtt: { } rtt } && rtt > TimeSpan.Zero
            ? (long)(window * 8 / rtt.TotalSeconds)
            : null);

    /// <summary>A stream of ours that the transport has opened.</summary>
    private sealed class Opening(
        PostStreams streams, PostConnection connection, TransportStream stream, StreamProperties properties, long? capacity)
    {
        public StreamSender? Sender { get; private set; }

        /// <summary>Reserves what is to be reserved. By the owner.</summary>
        public void Admit()
        {
            BandwidthReservation? reservation = null;
            if (properties.Bandwidth is { } wanted)
            {
                var reserved = connection.ReservedBitsPerSecond;
                if (capacity is { } bits && reserved + wanted > bits * Reservable)
                {
                    TransportCalls.Release(stream);
                    throw new PostException(
                        PostErrorReason.BandwidthUnavailable,
                        $"Cannot reserve {wanted} bit/s: {reserved} are reserved already, and of the measured {bits} bit/s at most "
                        + $"{bits * Reservable:F0} may be. Ask for less, or open the stream without a reservation.");
                }

                reservation = new BandwidthReservation(wanted, connection.State.Clock, connection.State.Clock.Now);
            }

            if (!connection.IsCurrent)
            {
                throw new TransportException(TransportErrorReason.ConnectionReset, "The connection was lost while a stream was opened on it.");
            }

            Sender = streams.Make(connection, stream, properties.Niceness, reservation);
        }
    }

    /// <summary>A stream of the peer's.</summary>
    private sealed class Arrival(
        PostStreams streams, PostConnection connection, TransportStream stream, int niceness, ReadOnlyMemory<byte> rest, bool isReadEnded)
    {
        public bool IsTaken { get; private set; }

        /// <summary>By the owner.</summary>
        public void Take()
        {
            if (!connection.IsCurrent)
            {
                return;
            }

            IsTaken = true;
            var sender = streams.Make(connection, stream, niceness, null);
            streams.Deliver(new PostStream(sender, niceness, rest, isReadEnded));
        }
    }

    private StreamSender Make(PostConnection connection, TransportStream stream, int niceness, BandwidthReservation? reservation) =>
        new(connection, resumption, stream, niceness, reservation, _order++);

    private void Deliver(PostStream stream) => delivery.OnStream(stream);
}
