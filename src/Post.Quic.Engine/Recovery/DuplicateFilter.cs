namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Tells packets received twice from new ones: one bit for each number in a window below the largest received
/// (RFC 9000 section 12.3). Asked after authentication, so that a forged number cannot move the window.
/// </summary>
internal sealed class DuplicateFilter
{
    private const int BitsInWord = 64;

    private readonly int _windowBits;
    private ulong[]? _bits;
    private ulong _end;
    private ulong _floor;

    public DuplicateFilter(int windowBits) => _windowBits = windowBits;

    /// <summary>Whether the number was not seen before; what is below the window counts as seen.</summary>
    public bool IsNew(ulong packetNumber)
    {
        if (packetNumber >= _end)
        {
            return true;
        }

        return packetNumber >= _floor
            && _end - packetNumber <= (ulong)_windowBits
            && (Word(packetNumber) & Bit(packetNumber)) == 0;
    }

    /// <summary>Remembers a number for which <see cref="IsNew"/> holds.</summary>
    public void Add(ulong packetNumber)
    {
        _bits ??= new ulong[_windowBits / BitsInWord];
        if (packetNumber >= _end)
        {
            Advance(packetNumber + 1);
        }

        Word(packetNumber) |= Bit(packetNumber);
    }

    public void Release() => _bits = null;

    /// <summary>
    /// Gives the window up: no packet that was sent before now is expected any more, and all of them count as seen. One that comes all the
    /// same is lost, and sent again.
    /// </summary>
    public void Rest()
    {
        _floor = _end;
        _bits = null;
    }

    private static ulong Bit(ulong packetNumber) => 1UL << (int)(packetNumber % BitsInWord);

    private ref ulong Word(ulong packetNumber) =>
        ref _bits![(packetNumber / BitsInWord) % (ulong)_bits.Length];

    private void Advance(ulong end)
    {
        if (end - _end >= (ulong)_windowBits)
        {
            Array.Clear(_bits!);
        }
        else
        {
            // Numbers that enter the window take the bits of those that leave it.
            for (ulong n = _end; n < end; n++)
            {
                Word(n) &= ~Bit(n);
            }
        }

        _end = end;
    }
}
