using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Sending;

/// <summary>Gives objects the form in which they travel: a header, and, where it fits and may be, one packet. By the owner.</summary>
internal sealed class OutboundFraming(AssociationState state, CurrentConnection connection)
{
    /// <summary>What may be tried in one call: no packet is larger than this, or only where its path proved it.</summary>
    private const int LargestPacket = 2048;

    private long[] _antecedents = [];
    private byte[] _buffer = [];
    private SortedSet<long>? _delivered;

    private bool CanOffset => state.Peer.Has(HelloFeatures.Offsets);

    /// <summary>Whether an object travels as a datagram now.</summary>
    public bool IsForDatagram(PostConnection connection, OutboundObject item) =>
        !item.NeedsStream && !item.IsDurable && !item.Transmission.IsDatagramRefused && item.Source is null && item.Transmission.Stream is null
        && (item.IsPerishable || !item.Properties.Retransmit)
        && state.Options.UseDatagrams
        && state.Peer.Has(HelloFeatures.DatagramObjects)
        && Fits(item, Math.Min(connection.MaxDatagramSize, LargestPacket));

    /// <summary>Whether an object is offered to the transport as a whole stream now.</summary>
    public bool IsForWholeStream(PostConnection connection, OutboundObject item) =>
        !item.NeedsStream && !item.IsDurable && !item.Transmission.IsWholeRefused && item.Source is null && item.Transmission.Stream is null
        && connection.Can(Transport.TransportCapabilities.WholeStreams)
        && item.Start.State == OutboundStart.Step.Unsaid
        && Fits(item, LargestPacket);

    /// <summary>Whether the receiver is to be asked where an object begins.</summary>
    public bool Asks(OutboundObject item) => item.Start.State == OutboundStart.Step.Unsaid && CanOffset && item.IsDurable;

    /// <summary>The datagram that an object makes; valid until the next one, or the next header.</summary>
    public ReadOnlySpan<byte> DatagramOf(OutboundObject item)
    {
        var header = WriteHeader(item, item.Memory.Length);
        item.Memory.Span.CopyTo(_buffer.AsSpan(header.Length));
        return _buffer.AsSpan(0, header.Length + item.Memory.Length);
    }

    /// <summary>The header of an object in bytes; valid until the next one.</summary>
    public ReadOnlySpan<byte> WriteHeader(OutboundObject item) => WriteHeader(item, 0);

    /// <summary>The header of an object as it is now; valid until the next one is made.</summary>
    public ObjectHeader HeaderOf(OutboundObject item)
    {
        if (item.IsPerishable)
        {
            connection.Value?.Frames.TellClock(state.Clock.Now);
        }

        var count = NoteAntecedents(item);

        var properties = item.Properties;
        var treatment = ObjectFlags.None;
        treatment |= count > 0 && properties.AntecedentPolicy == AntecedentPolicy.Order ? ObjectFlags.OrderOnly : 0;
        treatment |= properties.Immediate ? ObjectFlags.ImmediateReceipt : 0;
        treatment |= properties.SafeToReplay ? ObjectFlags.SafeToReplay : 0;
        treatment |= properties.Retransmit ? 0 : ObjectFlags.NoRetransmit;
        return new ObjectHeader
        {
            Id = item.Id,
            Treatment = treatment,
            Niceness = item.Niceness,
            SentAt = state.Clock.Microseconds(item.SentAt - state.ClockOrigin),
            Lifetime = item.IsPerishable ? state.Clock.Microseconds(item.ExpiresAt - item.SentAt) : -1,
            Antecedents = _antecedents.AsSpan(0, count),
            Metadata = properties.Metadata.Span,
            PayloadLength = item.Length ?? -1,
            Offset = item.Start.State == OutboundStart.Step.Told ? item.Start.Offset : -1,
            DurableId = CanOffset ? properties.DurableId.Span : default,
        };
    }

    private bool Fits(OutboundObject item, int limit) =>
        item.Memory.Length < limit && HeaderOf(item).Length() + item.Memory.Length <= limit;

    private Span<byte> WriteHeader(OutboundObject item, int room)
    {
        var header = HeaderOf(item);
        var length = header.Length();
        if (_buffer.Length < length + room)
        {
            _buffer = new byte[Math.Max(LargestPacket, length + room)];
        }

        header.Write(_buffer);
        return _buffer.AsSpan(0, length);
    }

    private int NoteAntecedents(OutboundObject item)
    {
        if (item.Antecedents is null && item.Properties.Antecedents.Count == 0)
        {
            return 0;
        }

        if (_antecedents.Length == 0)
        {
            _antecedents = new long[ProtocolLimits.MaxAntecedents];
        }

        var count = 0;
        foreach (var antecedent in item.Antecedents ?? [])
        {
            // One that was delivered holds nobody back any more: the receiver need not hear of it. One that had another end here may be
            // whole there all the same, and what tells of its end may come later than this object.
            if (antecedent.Outcome != ObjectOutcome.Acked)
            {
                _antecedents[count++] = antecedent.Id;
            }
        }

        // But where handlers overlap, one that was delivered may still be at work on: the latest are the likeliest.
        if (item.Properties.Antecedents.Count == 0 || !state.Peer.Has(HelloFeatures.DeliveredAntecedents))
        {
            return count;
        }

        var delivered = _delivered ??= [];
        delivered.Clear();
        foreach (var antecedent in item.Properties.Antecedents)
        {
            if (((OutboundObject)antecedent).Outcome == ObjectOutcome.Acked)
            {
                delivered.Add(antecedent.Id);
            }
        }

        var room = (int)Math.Min(state.Peer.Hello.MaxAntecedents, ProtocolLimits.MaxAntecedents) - count;
        while (room-- > 0 && delivered.Count > 0)
        {
            _antecedents[count++] = delivered.Max;
            delivered.Remove(delivered.Max);
        }

        _antecedents.AsSpan(0, count).Sort(static (a, b) => b.CompareTo(a));
        return count;
    }
}
