namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>version_information (RFC 9368 section 3).</summary>
internal sealed class VersionInformation : IEquatable<VersionInformation>
{
    public VersionInformation(uint chosen, params uint[] available)
    {
        Chosen = chosen;
        Available = available;
    }

    /// <summary>The version of the packets that carry this.</summary>
    public uint Chosen { get; }

    /// <summary>
    /// A client's: what its first flight can become, in order of preference. A server's: what it has deployed.
    /// </summary>
    public ReadOnlyMemory<uint> Available { get; }

    public bool Offers(uint version) => Available.Span.Contains(version);

    public bool Equals(VersionInformation? other) =>
        other is not null && Chosen == other.Chosen && Available.Span.SequenceEqual(other.Available.Span);

    public override bool Equals(object? obj) => Equals(obj as VersionInformation);

    public override int GetHashCode() => HashCode.Combine(Chosen, Available.Length);

    internal static bool TryParse(ReadOnlySpan<byte> value, bool fromServer, out VersionInformation? information)
    {
        information = null;
        if (value.Length < sizeof(uint) || value.Length % sizeof(uint) != 0)
        {
            return false;
        }

        var reader = new WireReader(value);
        _ = reader.TryReadUInt32(out uint chosen);
        var available = new uint[reader.Remaining / sizeof(uint)];
        foreach (ref uint version in available.AsSpan())
        {
            _ = reader.TryReadUInt32(out version);
        }

        // RFC 9368 section 4: a version of 0 anywhere, or a client's choice that its list lacks, cannot be parsed.
        if (chosen == 0 || available.AsSpan().Contains(0U) || (!fromServer && !available.AsSpan().Contains(chosen)))
        {
            return false;
        }

        information = new VersionInformation(chosen, available);
        return true;
    }

    internal void Write(ref WireWriter writer)
    {
        writer.WriteVarInt((ulong)((1 + Available.Length) * sizeof(uint)));
        writer.WriteUInt32(Chosen);
        foreach (uint version in Available.Span)
        {
            writer.WriteUInt32(version);
        }
    }
}
