namespace Post.Sockets.Transport.InMemory;

/// <summary>A datagram that waits to be put into a packet. Pooled.</summary>
internal sealed class QueuedDatagram : IHeapItem<QueuedDatagram>
{
    private readonly byte[] _bytes = new byte[Packet.MaxDatagram];
    private long _order;

    public int HeapIndex { get; set; } = -1;

    public TransportPriority Rank { get; private set; }

    public long Deadline { get; private set; }

    public long Token { get; private set; }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Fill(ReadOnlySpan<byte> payload, in TransportPriority rank, long deadline, long token, long order)
    {
        payload.CopyTo(_bytes);
        Length = payload.Length;
        Rank = rank;
        Deadline = deadline;
        Token = token;
        _order = order;
    }

    public bool IsBefore(QueuedDatagram other)
    {
        int order = SendHalf.Compare(Rank, other.Rank);
        return order < 0 || (order == 0 && _order < other._order);
    }
}
