namespace Post.Sockets.Associations.Ownership;

/// <summary>Something that the owner of an association is to do with its state.</summary>
/// <param name="Run">What; a static method, so that a message costs no object.</param>
/// <param name="Target">Whose method it is.</param>
/// <param name="Argument">What it is given.</param>
/// <param name="Number">A number that it is given.</param>
internal readonly record struct Message(Action<object, object?, long> Run, object Target, object? Argument = null, long Number = 0);
