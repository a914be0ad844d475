using System.Diagnostics.CodeAnalysis;
using System.Runtime.Versioning;

namespace Post.Quic.SystemNetQuic.Extras;

/// <summary>The extras, or why there are none.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal readonly record struct ExtrasOrObstacle(MsQuicExtras? Extras, string? Obstacle)
{
    [MemberNotNullWhen(true, nameof(Extras))]
    [MemberNotNullWhen(false, nameof(Obstacle))]
    public bool AreThere => Extras is not null;
}
