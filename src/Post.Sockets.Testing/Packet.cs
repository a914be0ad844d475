namespace Post.Sockets.Testing;

/// <summary>
/// A packet, from when it is filled until it is acknowledged or lost and nobody reads from it any more. It is pooled, and it is
/// its own entry in the clock for the two moments that concern it alone: a late arrival, and the notice of its loss.
/// </summary>
internal sealed class Packet : ClockEntry
{
    /// <summary>Bytes of UDP payload in a packet, as a QUIC packet has before its path's MTU is known.</summary>
    public const int Size = 1200;

    /// <summary>What a QUIC packet spends on its header and tag, about.</summary>
    public const int Overhead = 28;

    /// <summary>What a STREAM or DATAGRAM frame spends on its type, id, offset and length, about.</summary>
    public const int FrameOverhead = 5;

    /// <summary>The largest datagram.</summary>
    public const int MaxDatagram = Size - Overhead - FrameOverhead;

    private int _references;
    private PacketFrame[] _frames = new PacketFrame[2];

    public byte[] Bytes { get; } = new byte[Size];

    public int FrameCount { get; private set; }

    /// <summary>Bytes used in <see cref="Bytes"/>.</summary>
    public int Used { get; private set; }

    /// <summary>Bytes that it takes on the link.</summary>
    public int WireSize => Overhead + Used + (FrameCount * FrameOverhead);

    /// <summary>Payload that one more frame can have; negative when none fits.</summary>
    public int Room => Size - WireSize - FrameOverhead;

    public InMemorySender Sender { get; private set; } = null!;

    public PathEnd Path { get; private set; } = null!;

    public long SentAt { get; set; }

    public bool IsEarlyData { get; set; }

    /// <summary>The neighbours among its sender's packets in flight.</summary>
    public Packet? Previous { get; set; }

    public Packet? Next { get; set; }

    /// <summary>What <see cref="Fire"/> means: true, it arrives; false, its sender learns of its loss.</summary>
    public bool ArrivesOnFire { get; set; }

    public ReadOnlySpan<PacketFrame> Frames => _frames.AsSpan(0, FrameCount);

    public void Open(InMemorySender sender, PathEnd path)
    {
        Sender = sender;
        Path = path;
        _references = 1;
        Used = 0;
        FrameCount = 0;
        IsEarlyData = false;
    }

    /// <summary>Appends a frame; the caller fills the span that is returned.</summary>
    public Span<byte> Append(InMemorySendHalf? stream, long offset, int length, bool isEnd)
    {
        if (FrameCount == _frames.Length)
        {
            Array.Resize(ref _frames, FrameCount * 2);
        }

        _frames[FrameCount++] = new PacketFrame { Stream = stream, Offset = offset, Start = Used, Length = length, IsEnd = isEnd };
        Span<byte> bytes = Bytes.AsSpan(Used, length);
        Used += length;
        return bytes;
    }

    public void Retain() => _references++;

    public void Release()
    {
        if (--_references > 0)
        {
            return;
        }

        InMemorySender sender = Sender;
        Array.Clear(_frames, 0, FrameCount);
        Sender = null!;
        Path = null!;
        sender.Network.Return(this);
    }

    public override void Fire()
    {
        lock (Sender.Network.Gate)
        {
            if (ArrivesOnFire)
            {
                Path.Out.Arrive(this);
            }
            else
            {
                Sender.OnLost(this);
            }
        }
    }
}
