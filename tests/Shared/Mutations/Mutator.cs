namespace Post.Quic.Testing.Mutations;

/// <summary>Spoils bytes as an attacker or a bad line would: flips, cuts, repeats, edge values in place of lengths.</summary>
internal static class Mutator
{
    private static ReadOnlySpan<byte> Edges => [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff];

    /// <summary>Changes the first <paramref name="length"/> bytes in place; returns their new number.</summary>
    public static int Mutate(Span<byte> buffer, int length, ref FuzzRandom random)
    {
        int changes = 1 + random.Below(4);
        for (int i = 0; i < changes; i++)
        {
            length = MutateOnce(buffer, length, ref random);
        }

        return length;
    }

    private static int MutateOnce(Span<byte> buffer, int length, ref FuzzRandom random)
    {
        if (length == 0)
        {
            buffer[0] = (byte)random.Next();
            return 1;
        }

        int at = random.Below(length);
        switch (random.Below(7))
        {
            case 0:
                buffer[at] ^= (byte)(1 << random.Below(8));
                return length;
            case 1:
                buffer[at] = (byte)random.Next();
                return length;
            case 2:
                buffer[at] = Edges[random.Below(Edges.Length)];
                return length;
            case 3:
                return at;
            case 4:
                buffer[(at + 1)..length].CopyTo(buffer[at..]);
                return length - 1;
            case 5 when length < buffer.Length:
                buffer[at..length].CopyTo(buffer[(at + 1)..]);
                buffer[at] = (byte)random.Next();
                return length + 1;
            default:
                int count = Math.Min(1 + random.Below(16), length - at);
                int from = random.Below(length - count + 1);
                buffer.Slice(from, count).CopyTo(buffer[at..]);
                return length;
        }
    }
}
