using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tests.Wire;

/// <summary>The random source of a world that repeats from its seed.</summary>
internal sealed class SeededRandomSource(ulong seed) : RandomSource
{
    private FuzzRandom _random = new(seed);

    public override void Fill(Span<byte> destination) => _random.Fill(destination);
}
