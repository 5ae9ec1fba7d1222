/**
 * Names of properties that nobody outside the built file sees: the build shortens them. None of them may be a name of
 * the JSON, of what is stored, of an action or of an attribute, nor of anything of the browser's that the code uses.
 * What addSite() takes stays readable too: the widget of another site on the page may be of another version.
 */
export const PRIVATE = (
  "added aim api asking bearer blocked busy call changed connect control dialog disconnect drop erase faces flush fold language load loaded " +
  "locales mayKnow most names notes orphan pieces prefix put read refused removed retry root say sent state storage tell viewOf violated write"
).split(" ");
