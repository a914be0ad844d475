using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>A datagram that waits to be put into a packet. Pooled.</summary>
internal sealed class QueuedDatagram
{
    private readonly byte[] _bytes = new byte[Packet.MaxDatagram];
    private long _order;
    private int _heapIndex = -1;

    public TransportPriority Rank { get; private set; }

    /// <summary>Where it belongs in line.</summary>
    public SendRank Place => new(Rank.Niceness, Rank.Deadline, 0, _order, 0);

    public long Deadline { get; private set; }

    public long Token { get; private set; }

    public int Length { get; private set; }

    public void Fill(
        ReadOnlySpan<byte> payload,
        in TransportPriority rank,
        long deadline,
        long token,
        long order)
    {
        payload.CopyTo(_bytes);
        Length = payload.Length;
        Rank = rank;
        Deadline = deadline;
        Token = token;
        _order = order;
    }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    internal readonly struct Slot : IHeapSlot<QueuedDatagram>
    {
        public static int Get(QueuedDatagram item) => item._heapIndex;

        public static void Set(QueuedDatagram item, int index) => item._heapIndex = index;
    }
}
