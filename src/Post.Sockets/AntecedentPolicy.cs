namespace Post.Sockets;

/// <summary>What happens to an object when one of its antecedents is not delivered.</summary>
public enum AntecedentPolicy
{
    /// <summary>It expires too.</summary>
    Require,

    /// <summary>Only the order is kept: the antecedent stops blocking.</summary>
    Order,
}
