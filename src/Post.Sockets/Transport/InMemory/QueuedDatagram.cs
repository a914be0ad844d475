using Post.Sockets.Scheduling;

namespace Post.Sockets.Transport.InMemory;

/// <summary>A datagram that waits to be put into a packet. Pooled.</summary>
internal sealed class QueuedDatagram
{
    private readonly byte[] _bytes = new byte[Packet.MaxDatagram];
    private TransportLifetimeField _lifetime;
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
        TransportLifetimeField lifetime,
        long order)
    {
        payload.CopyTo(_bytes);
        Length = payload.Length;
        Rank = rank;
        Deadline = deadline;
        Token = token;
        _lifetime = lifetime;
        _order = order;
    }

    /// <summary>Its bytes as they go out now.</summary>
    public ReadOnlySpan<byte> TakeBytes(long nowTicks)
    {
        Span<byte> bytes = _bytes.AsSpan(0, Length);
        _lifetime.State(bytes, TimeSpan.FromTicks(Deadline - nowTicks));
        return bytes;
    }

    internal readonly struct Slot : IHeapSlot<QueuedDatagram>
    {
        public static int Get(QueuedDatagram item) => item._heapIndex;

        public static void Set(QueuedDatagram item, int index) => item._heapIndex = index;
    }
}
