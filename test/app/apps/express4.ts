import express from "express4";
import { expressApp } from "./express-app.js";

export const app = expressApp(express);
