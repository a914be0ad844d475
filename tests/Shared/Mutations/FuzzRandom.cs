namespace Post.Quic.Testing.Mutations;

/// <summary>
/// SplitMix64: one seed, one sequence, on every machine and without allocating, so that a failing input repeats from
/// its seed and number alone.
/// </summary>
internal struct FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The seed of one of a run's units: it can be made again without those before it.</summary>
    public static ulong SeedOf(ulong run, int unit) => new FuzzRandom((run * 0x9e3779b97f4a7c15) ^ ((ulong)unit << 20)).Next();

    public ulong Next()
    {
        _state += 0x9e3779b97f4a7c15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Next() % (ulong)limit);

    public bool Coin() => (Next() & 1) != 0;

    /// <summary>A variable-length integer of any of the four sizes, the edges of each included.</summary>
    public ulong VarInt() => Below(8) switch
    {
        0 => 0,
        1 => 63,
        2 => 16384,
        3 => (1UL << 62) - 1,
        4 => Next() & 0x3f,
        5 => Next() & 0x3fff,
        6 => Next() & 0x3fffffff,
        _ => Next() >> 2,
    };

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte b in bytes)
        {
            b = (byte)Next();
        }
    }
}
