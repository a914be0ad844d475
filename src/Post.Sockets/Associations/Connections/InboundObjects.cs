using System.Buffers.Binary;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Takes in the objects that come whole over one connection, as datagrams and as streams that fit into one packet: decided there and then,
/// on the thread that read the packet, unless the association is busy.
/// </summary>
internal sealed class InboundObjects(PostConnection connection)
{
    /// <summary>Bytes before a copy that is left to the owner: its length, and whether it is early data, and a stream.</summary>
    private const int About = sizeof(int);

    /// <summary>
    /// False for an object that must not come as early data: an attacker could have replayed it, or it is known by who sends it, which is
    /// not proven yet.
    /// </summary>
    public static bool IsSafeToReplay(ReadOnlySpan<byte> bytes)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        return ObjectHeader.TryParse(bytes, scratch, out var header, out _, out _) != ParseStatus.Done
            || ((header.Treatment & ObjectFlags.SafeToReplay) != 0 && header.DurableId.IsEmpty);
    }

    /// <summary>A datagram came. It is one object, or nothing that we know.</summary>
    public void OnDatagram(ReadOnlySpan<byte> datagram, bool isEarly, long arrivedAt)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        if (!PostInteger.TryRead(datagram, out var type, out _) || type != StreamType.Object)
        {
            return;
        }

        var status = ObjectHeader.TryParse(datagram, scratch, out var header, out var consumed, out var error);
        if (status != ParseStatus.Done)
        {
            connection.Violate(
                error == PostErrorCode.NoError ? PostErrorCode.HeaderEncoding : error, "the header of a datagram object is malformed");
            return;
        }

        if (header.Offset >= 0 || !header.DurableId.IsEmpty)
        {
            connection.Violate(PostErrorCode.HeaderEncoding, "a datagram object has an offset or a durable id");
            return;
        }

        var payload = datagram[consumed..];
        if (header.PayloadLength >= 0 && header.PayloadLength != payload.Length)
        {
            connection.Violate(PostErrorCode.LengthMismatch, "the payload of a datagram object has another length than its header says");
            return;
        }

        isEarly = isEarly && !connection.IsHandshakeCompleted;
        var owner = connection.State.Owner;
        if (!owner.TryEnter())
        {
            PostCopy(datagram, isEarly, arrivedAt, isStream: false);
            return;
        }

        try
        {
            Take(header, payload, isEarly, arrivedAt);
        }
        finally
        {
            owner.Leave(isRunDue: false);
        }
    }

    /// <summary>
    /// A whole stream came. Takes what is an ordinary object and can be taken now; false for everything else, which is read as a stream.
    /// </summary>
    public bool TryTakeStream(ReadOnlySpan<byte> bytes, bool isEarly, long arrivedAt)
    {
        // Before HELLO it is not known what ids mean, and early data may be a replay. And while the application does not keep up, its peer is
        // slowed down by the limit on streams.
        if (!connection.IsReady || (isEarly && !connection.IsHandshakeCompleted) || connection.State.Inbox.Deliverable.IsFull)
        {
            return false;
        }

        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        if (!PostInteger.TryRead(bytes, out var type, out _) || type != StreamType.Object
            || ObjectHeader.TryParse(bytes, scratch, out var header, out var consumed, out _) != ParseStatus.Done
            || header.Offset >= 0 || !header.DurableId.IsEmpty
            || (header.PayloadLength >= 0 && header.PayloadLength != bytes.Length - consumed))
        {
            return false;
        }

        var owner = connection.State.Owner;
        if (!owner.TryEnter())
        {
            PostCopy(bytes, isEarly: false, arrivedAt, isStream: true);
            return true;
        }

        try
        {
            if (connection.State.Inbox.IsUnfinished(header.Id))
            {
                return false;
            }

            Take(header, bytes[consumed..], isEarly: false, arrivedAt);
            return true;
        }
        finally
        {
            owner.Leave(isRunDue: false);
        }
    }

    /// <summary>The owner is busy: it takes a copy of the bytes when it comes to that.</summary>
    private void PostCopy(ReadOnlySpan<byte> bytes, bool isEarly, long arrivedAt, bool isStream)
    {
        // What is to be known of it beside its time stands before it.
        var size = About + bytes.Length;
        var copy = size <= SmallBlocks.Largest ? SmallBlocks.Rent(SmallBlocks.Largest) : new byte[size];
        BinaryPrimitives.WriteInt32LittleEndian(copy, (bytes.Length << 2) | (isEarly ? 2 : 0) | (isStream ? 1 : 0));
        bytes.CopyTo(copy.AsSpan(About));
        connection.State.Owner.PostQuietly(new Message(
            static (target, copy, arrivedAt) => ((InboundObjects)target).TakeCopy((byte[])copy!, arrivedAt), this, copy, arrivedAt));
    }

    private void TakeCopy(byte[] copy, long arrivedAt)
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        var about = BinaryPrimitives.ReadInt32LittleEndian(copy);
        var bytes = copy.AsSpan(About, about >> 2);
        _ = ObjectHeader.TryParse(bytes, scratch, out var header, out var consumed, out _);
        if ((about & 1) != 0 && connection.State.Inbox.IsUnfinished(header.Id))
        {
            connection.Inbound.OnAccepted(new ArrivedStream(bytes.ToArray(), arrivedAt));
        }
        else
        {
            Take(header, bytes[consumed..], (about & 2) != 0, arrivedAt);
        }

        if (SmallBlocks.Keeps(copy.Length))
        {
            SmallBlocks.Return(copy);
        }
    }

    /// <summary>By the owner.</summary>
    private void Take(in ObjectHeader header, ReadOnlySpan<byte> payload, bool isEarly, long arrivedAt)
    {
        var state = connection.State;
        if (state.IsClosed || !connection.IsCurrent)
        {
            return;
        }

        var inbox = state.Inbox;
        var item = inbox.Begin(header, null, arrivedAt, isEarly, isWhole: true, out _, out var violation);
        if (item is not null && inbox.TryCharge(item, payload.Length))
        {
            item.Append(payload);
            inbox.OnComplete(item);
        }

        if (violation != PostErrorCode.NoError)
        {
            connection.Violate(violation, $"object {header.Id} has an impossible id");
        }
    }
}
