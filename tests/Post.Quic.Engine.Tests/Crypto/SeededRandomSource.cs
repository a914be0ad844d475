using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tests.Crypto;

/// <summary>Random bytes that repeat from a seed. A failing test prints the seed.</summary>
internal sealed class SeededRandomSource(int seed) : RandomSource
{
    private readonly Random _random = new(seed);

    public override void Fill(Span<byte> destination) => _random.NextBytes(destination);
}
