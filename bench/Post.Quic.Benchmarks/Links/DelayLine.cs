using System.Diagnostics;

namespace Post.Quic.Benchmarks.Links;

/// <summary>
/// One direction of a link, without the I/O: packets go in and come out later, or not at all. Times are those of
/// <see cref="Stopwatch"/>. One thread uses it.
/// </summary>
internal sealed class DelayLine
{
    /// <summary>Packets under way; far more than any case here has. What is beyond is lost and counted.</summary>
    public const int Capacity = 32 * 1024;

    private readonly LinkOptions _settings;
    private readonly Random _random;
    private readonly int _overhead;
    private readonly long _delay;
    private readonly Packet[] _ring = new Packet[Capacity];
    private long _head;
    private long _tail;
    private long _free;

    /// <summary>Makes an empty line.</summary>
    /// <param name="settings">What it does.</param>
    /// <param name="direction">0 or 1: the directions lose different packets.</param>
    /// <param name="overhead">Bytes of headers that each packet has beside what is put in here.</param>
    public DelayLine(LinkOptions settings, int direction, int overhead)
    {
        _settings = settings;
        _random = new Random(HashSeed(settings.Seed, direction));
        _overhead = overhead;
        _delay = (long)(settings.Delay.TotalSeconds * Stopwatch.Frequency);
    }

    /// <summary>Packets that were put in.</summary>
    public long Offered { get; private set; }

    /// <summary>Packets that vanished by chance.</summary>
    public long Lost { get; private set; }

    /// <summary>Packets that found the queue full, or were larger than the MTU.</summary>
    public long Dropped { get; private set; }

    /// <summary>Puts a packet in.</summary>
    public void Offer(ReadOnlySpan<byte> packet, long now)
    {
        Offered++;
        int size = packet.Length + _overhead;
        if (size > _settings.Mtu || _tail - _head == Capacity)
        {
            Dropped++;
            return;
        }

        if (_settings.Loss > 0 && _random.NextDouble() < _settings.Loss)
        {
            Lost++;
            return;
        }

        long departure = now;
        if (_settings.BitsPerSecond > 0)
        {
            double bytesWaiting = Math.Max(0, _free - now) * (double)_settings.BitsPerSecond / 8 / Stopwatch.Frequency;
            if (bytesWaiting + size > _settings.QueueBytes)
            {
                Dropped++;
                return;
            }

            departure = _free = Math.Max(now, _free) + (long)(size * 8.0 / _settings.BitsPerSecond * Stopwatch.Frequency);
        }

        ref Packet slot = ref _ring[_tail++ % Capacity];
        if (slot.Bytes is null || slot.Bytes.Length < packet.Length)
        {
            slot.Bytes = new byte[Math.Max(2048, packet.Length)];
        }

        packet.CopyTo(slot.Bytes);
        slot.Length = packet.Length;
        slot.Due = departure + _delay;
    }

    /// <summary>Takes the next packet out, if its time has come; valid until the next one is put in.</summary>
    public bool TryTake(long now, out ReadOnlySpan<byte> packet)
    {
        if (_head == _tail || _ring[_head % Capacity].Due > now)
        {
            packet = default;
            return false;
        }

        ref Packet slot = ref _ring[_head++ % Capacity];
        packet = slot.Bytes.AsSpan(0, slot.Length);
        return true;
    }

    /// <summary>How long a thread may sleep before the next packet is due: whole milliseconds, at most <paramref name="most"/>.</summary>
    public int MillisecondsToNext(long now, int most)
    {
        if (_head == _tail)
        {
            return most;
        }

        long ticks = _ring[_head % Capacity].Due - now;
        return (int)Math.Clamp(Math.Ceiling(ticks * 1000.0 / Stopwatch.Frequency), 0, most);
    }

    // Neighbouring seeds, and the two directions of one, shall have nothing in common.
    private static int HashSeed(int seed, int direction) => unchecked((int)((((uint)seed * 2) + (uint)direction) * 2654435761u));

    private struct Packet
    {
        public byte[]? Bytes;
        public int Length;
        public long Due;
    }
}
