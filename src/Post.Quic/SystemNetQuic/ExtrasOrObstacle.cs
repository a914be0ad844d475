using System.Diagnostics.CodeAnalysis;

namespace Post.Quic.SystemNetQuic;

/// <summary>The extras, or why there are none.</summary>
internal readonly record struct ExtrasOrObstacle(QuicExtras? Extras, string? Obstacle)
{
    [MemberNotNullWhen(true, nameof(Extras))]
    [MemberNotNullWhen(false, nameof(Obstacle))]
    public bool AreThere => Extras is not null;
}
