using Post.Sockets;

namespace Post.Quic.DependencyInjection;

/// <summary>The one rule of <see cref="AssociationOptions"/> that no single property can hold to.</summary>
internal static class ReceiveBudgetCheck
{
    /// <summary>What is wrong, and what to do; null: nothing.</summary>
    public static string? Failure(AssociationOptions association) => association.ReceiveBudget >= 4L * association.MaxWholeObjectSize
        ? null
        : $"Association.ReceiveBudget ({association.ReceiveBudget}) must be at least four times MaxWholeObjectSize "
            + $"({association.MaxWholeObjectSize}); raise the one or lower the other.";
}
