using Post.Sockets.Associations.Connections;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Gives objects the form in which they travel: header and, where it fits and may be, one datagram. Serial, like the pump whose part it is.
/// </summary>
internal sealed class OutboundFraming(AssociationCore core)
{
    private readonly byte[] _datagram = new byte[2048];
    private readonly long[] _antecedents = new long[ProtocolLimits.MaxAntecedents];
    private readonly SortedSet<long> _delivered = [];

    /// <summary>The bytes that <see cref="IsForDatagram"/> prepared last.</summary>
    public ReadOnlySpan<byte> Datagram(int size) => _datagram.AsSpan(0, size);

    /// <summary>Whether an object travels as a datagram now; prepares it if so.</summary>
    public bool IsForDatagram(Carrier carrier, OutboundObject item, out int size)
    {
        size = 0;
        if (item.NeedsStream || item.IsDurable || item.Transit.IsDatagramRefused || item.Source is not null || item.Transit.Stream is not null
            || (!item.IsPerishable && item.Properties.Retransmit)
            || !core.Options.UseDatagrams
            || (core.Peer.Features & HelloFeatures.DatagramObjects) == 0)
        {
            return false;
        }

        var limit = Math.Min(carrier.MaxDatagramSize, _datagram.Length);
        if (item.Memory.Length >= limit)
        {
            return false;
        }

        var header = HeaderOf(item);
        var length = header.Length();
        if (length + item.Memory.Length > limit)
        {
            return false;
        }

        header.Write(_datagram);
        item.Memory.Span.CopyTo(_datagram.AsSpan(length));
        size = length + item.Memory.Length;
        return true;
    }

    /// <summary>Whether the receiver is to be asked where an object begins.</summary>
    public bool Asks(OutboundObject item) => item.Start.State == OutboundStart.Step.Unsaid && CanOffset && item.IsDurable;

    private bool CanOffset => (core.Peer.Features & HelloFeatures.Offsets) != 0;

    /// <summary>The header of an object as it is now; valid until the next one is made.</summary>
    public ObjectHeader HeaderOf(OutboundObject item)
    {
        if (item.IsPerishable)
        {
            core.Carrier?.Frames.TellClock(core.Clock.Now);
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
            SentAt = core.Clock.Microseconds(item.SentAt - core.ClockOrigin),
            Lifetime = item.IsPerishable ? core.Clock.Microseconds(item.ExpiresAt - item.SentAt) : -1,
            Antecedents = _antecedents.AsSpan(0, count),
            Metadata = properties.Metadata.Span,
            PayloadLength = item.Length ?? -1,
            Offset = item.Start.State == OutboundStart.Step.Told ? item.Start.Offset : -1,
            DurableId = CanOffset ? properties.DurableId.Span : default,
        };
    }

    private int NoteAntecedents(OutboundObject item)
    {
        var count = 0;
        foreach (var antecedent in item.Antecedents ?? [])
        {
            // One that was delivered holds nobody back any more: the receiver need not hear of it. One that had another end here may be
            // whole there all the same, and what tells of its end may come later than this object.
            if (antecedent.End != ObjectOutcome.Acked)
            {
                _antecedents[count++] = antecedent.Id;
            }
        }

        // But where handlers overlap, one that was delivered may still be at work on: the latest are the likeliest.
        if (item.Properties.Antecedents.Count == 0 || (core.Peer.Features & HelloFeatures.DeliveredAntecedents) == 0)
        {
            return count;
        }

        _delivered.Clear();
        foreach (var antecedent in item.Properties.Antecedents)
        {
            if (((OutboundObject)antecedent).End == ObjectOutcome.Acked)
            {
                _delivered.Add(antecedent.Id);
            }
        }

        var room = (int)Math.Min(core.Peer.MaxAntecedents, ProtocolLimits.MaxAntecedents) - count;
        while (room-- > 0 && _delivered.Count > 0)
        {
            _antecedents[count++] = _delivered.Max;
            _delivered.Remove(_delivered.Max);
        }

        _antecedents.AsSpan(0, count).Sort(static (a, b) => b.CompareTo(a));
        return count;
    }
}
