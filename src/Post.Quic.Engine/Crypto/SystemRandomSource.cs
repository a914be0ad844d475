using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>The operating system's generator: the only source outside of tests.</summary>
internal sealed class SystemRandomSource : RandomSource
{
    private SystemRandomSource()
    {
    }

    public static SystemRandomSource Instance { get; } = new();

    public override void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
