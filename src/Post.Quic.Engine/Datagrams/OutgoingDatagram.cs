using System.Buffers.Binary;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Datagrams;

/// <summary>A datagram that waits to be sent.</summary>
internal sealed class OutgoingDatagram : UrgencyHeapItem
{
    /// <summary>Bytes of the field that states a lifetime.</summary>
    public const int LifetimeLength = sizeof(uint);

    private const uint FourBytes = 0x80000000;
    private const long LongestLifetime = 0x3fffffff;

    public ulong Number { get; set; }

    public ReadOnlyMemory<byte> Data { get; set; }

    /// <summary>Its age limit in microseconds of the connection's clock; <see cref="long.MaxValue"/> for none.</summary>
    public long Deadline { get; set; }

    /// <summary>Where the data states the milliseconds that are left of it; -1 for nowhere.</summary>
    public int LifetimeOffset { get; set; }

    /// <summary>Brings what the data states of its lifetime up to date, in the packet with which it leaves.</summary>
    public void StateLifetime(Span<byte> written, long now)
    {
        if (LifetimeOffset >= 0 && Deadline != long.MaxValue)
        {
            var left = (uint)Math.Clamp((Deadline - now) / 1000, 0, LongestLifetime);
            BinaryPrimitives.WriteUInt32BigEndian(written[LifetimeOffset..], FourBytes | left);
        }
    }
}
