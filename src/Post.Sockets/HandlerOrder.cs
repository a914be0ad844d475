namespace Post.Sockets;

/// <summary>When a handler of <see cref="Received"/> may start while others run (<see cref="AssociationOptions.HandlerConcurrency"/>).</summary>
public enum HandlerOrder
{
    /// <summary>
    /// After the handlers of the object's antecedents have returned, and the tasks of asynchronous ones have ended. The handler of an object
    /// without antecedents does not wait.
    /// </summary>
    AfterAntecedents,

    /// <summary>
    /// As soon as it can: the objects are taken after their antecedents, but their handlers may overtake those of the antecedents.
    /// </summary>
    Unordered,
}
